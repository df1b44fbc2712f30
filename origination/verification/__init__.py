"""What is found out about an applicant by asking others: pure modules."""
