"""The people: bones, colours and hair of each."""
