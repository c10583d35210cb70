"""What a notebook needs besides the rooms: exercises, pictures, parameters."""
