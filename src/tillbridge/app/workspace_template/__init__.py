"""The files a fresh workspace begins with, as package data; `tillbridge init` copies them."""
