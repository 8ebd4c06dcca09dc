"""The sandbox on screen: time, faults, scenarios, snapshots, requests, events, webhooks."""
