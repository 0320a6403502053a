"""The company over time: opening a store, time travel, scope."""
