"""What belongs to lesson 10 alone: a language model behind an API as the teacher."""
