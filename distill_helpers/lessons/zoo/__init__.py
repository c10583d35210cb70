"""The bug zoo: historical mistakes in losses, and who finds them."""
