"""Live pulls: what a CRM answers becomes the files of an export, which the import reads."""
