"""The built-in faces on film: sound files in, films and pictures out, faster than real time."""
