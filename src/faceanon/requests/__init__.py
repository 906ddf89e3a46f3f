"""What terminal, window and Python ask for, checked; may import `audit` and below."""
