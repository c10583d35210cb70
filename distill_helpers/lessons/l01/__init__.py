"""What belongs to lesson 01 alone."""
