"""What the provider bills, and what it says of creates that had no clear answer."""
