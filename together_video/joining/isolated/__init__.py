"""What runs in the process that joins clips: everything that opens, decodes or encodes a file. No pydantic here."""
