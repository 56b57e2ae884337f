"""Files for Prometheus and Grafana, generated from declarations: rules, their tests, dashboard."""
