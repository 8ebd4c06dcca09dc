"""The pages of participants: the address book, and everything about one of them."""
