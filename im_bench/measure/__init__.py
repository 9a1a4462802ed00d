"""What is measured: latencies, counts by the second, what processes use."""
