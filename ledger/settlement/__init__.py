"""The queue of instructions, and what can settle out of it. Pure: no I/O, no clock, no chance."""
