"""What crashes, full disks, odd clocks and repeated messages do to instances: nothing."""
