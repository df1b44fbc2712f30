"""What an applicant is offered, and the contract that an accepted offer becomes."""
