"""What is wrong with a box: `cleandesk doctor`, `cmd/doctor/request`, and `cleandesk diag`."""
