"""One check a file: a pure function that looks at an answer and says what it found."""
