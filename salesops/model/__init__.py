"""What a company is: tables, settings, calendar, findings, errors."""
