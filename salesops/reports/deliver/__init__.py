"""Sending a finished run: by mail and into chats, each recipient what they may see.

Mail is built and sent by Python's own `email` and `smtplib`; chats are addressed through apprise
(extra `deliver`), which is imported when something is sent and not before.
"""
