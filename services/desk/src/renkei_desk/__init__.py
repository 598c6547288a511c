"""The coordination desk: a web application that shows what the services of an agency know."""
