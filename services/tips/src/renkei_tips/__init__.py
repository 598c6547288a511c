"""Keep tips, their grading and life, and copies of what others released."""
