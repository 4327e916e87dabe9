"""What the system tests are made of. Standard library only, and nothing of it comes from the C++ sources:
packets and messages are built from the RFCs once more, so that a common mistake shows."""
