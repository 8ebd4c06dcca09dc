"""Between processes: what nodes say to each other, as bytes that are signed and checked."""
