"""What `doctor` looks at in a Magento shop, and how it reads what it sees.

asking.py   one look at a route, and what a refusal says by itself
denials.py  why a shop refuses us, as far as it can be told apart
door.py     whether the shop opens at all, and which ways in it takes
reading.py  what the shop lets us read, and what it tells of itself
writing.py  which way of writing back is open
"""
