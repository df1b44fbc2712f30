"""What an applicant is asked, how it is checked, and where an application goes: pure modules."""
