"""A companion as small as one can be: it keeps notes of pictures."""
