"""From a query specification to the plan that every partition computes."""
