"""What holds for every request of the interface, whatever it asks for: one file a convention."""
