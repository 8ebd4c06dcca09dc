"""The words of the field as plain data: standard library only, no I/O, no clock, no chance."""
