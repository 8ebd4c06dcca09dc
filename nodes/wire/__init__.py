"""Between processes: what nodes say to each other, as bytes that are signed, checked and bounded."""
