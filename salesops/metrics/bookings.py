"""Metrics of signed business: bookings, new customers, attainment and pace."""

from salesops.metrics.metric import Metric

METRICS: tuple[Metric, ...] = ()
