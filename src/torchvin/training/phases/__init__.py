"""What happens before and after the epochs."""
