# Every rule is a resource of its own: a rule that is written inline and one that is not undo each other.

resource "aws_security_group" "influxdb" {
  # checkov:skip=CKV2_AWS_5: it is attached to the Timestream for InfluxDB instance, which the check does not know.
  name        = "${var.name}-influxdb"
  description = "InfluxDB: reached by named clients on one port, reaches nothing"
  vpc_id      = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-influxdb" })
}

resource "aws_security_group" "clients" {
  # checkov:skip=CKV2_AWS_5: the runner and the application's own resources take it, through an output.
  name        = "${var.name}-clients"
  description = "Clients of InfluxDB: the runner and whatever else is given this group"
  vpc_id      = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-clients" })
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Private endpoints of AWS services: reached by the clients over TLS"
  vpc_id      = aws_vpc.this.id

  tags = merge(var.tags, { Name = "${var.name}-endpoints" })
}

resource "aws_vpc_security_group_ingress_rule" "influxdb" {
  for_each = local.clients

  security_group_id            = aws_security_group.influxdb.id
  description                  = "InfluxDB from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = var.influxdb_port
  to_port                      = var.influxdb_port

  tags = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  for_each = local.clients

  security_group_id            = aws_security_group.endpoints.id
  description                  = "AWS services from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = var.tags
}

resource "aws_vpc_security_group_egress_rule" "clients_influxdb" {
  security_group_id            = aws_security_group.clients.id
  description                  = "To InfluxDB"
  referenced_security_group_id = aws_security_group.influxdb.id
  ip_protocol                  = "tcp"
  from_port                    = var.influxdb_port
  to_port                      = var.influxdb_port

  tags = var.tags
}

resource "aws_vpc_security_group_egress_rule" "clients_endpoints" {
  security_group_id            = aws_security_group.clients.id
  description                  = "To private endpoints of AWS services"
  referenced_security_group_id = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = var.tags
}

resource "aws_vpc_security_group_egress_rule" "clients_s3" {
  security_group_id = aws_security_group.clients.id
  description       = "To S3 through its gateway endpoint"
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = var.tags
}

# LiveAnalytics hands out the addresses of its cells at run time, so no narrower rule can be written.
resource "aws_vpc_security_group_egress_rule" "clients_internet" {
  count = var.nat_mode == "none" ? 0 : 1

  security_group_id = aws_security_group.clients.id
  description       = "To public endpoints of AWS services over TLS, through NAT"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = var.tags
}
