"""What belongs to lesson 05 alone."""
