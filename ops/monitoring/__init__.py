"""What Prometheus and Grafana are given: rules, their tests and a dashboard, from declarations."""
