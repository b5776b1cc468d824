"""What is answered below `/api`, each question in a file, and what several of them take: bodies, queries, pages."""
