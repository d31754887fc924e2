# What the network plans: who is reached by whom, and nothing else.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "stack"
  kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/k"
  tags        = { team = "energy" }
}

run "vpc_and_subnets" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = aws_vpc.this.cidr_block == "10.0.0.0/16" && aws_vpc.this.enable_dns_support && aws_vpc.this.enable_dns_hostnames
    error_message = "the VPC must be 10.0.0.0/16 with DNS, which private endpoints need"
  }
  assert {
    condition     = { for zone, subnet in aws_subnet.public : zone => [subnet.cidr_block, subnet.availability_zone] } == { "0" = ["10.0.1.0/24", "us-east-1a"], "1" = ["10.0.2.0/24", "us-east-1b"] }
    error_message = "the public subnets must be 10.0.1.0/24 and 10.0.2.0/24 in two zones"
  }
  assert {
    condition     = { for zone, subnet in aws_subnet.private : zone => [subnet.cidr_block, subnet.availability_zone] } == { "0" = ["10.0.10.0/24", "us-east-1a"], "1" = ["10.0.20.0/24", "us-east-1b"] }
    error_message = "the private subnets must be 10.0.10.0/24 and 10.0.20.0/24 in two zones"
  }
  assert {
    condition     = data.aws_availability_zones.available.state == "available" && [for f in data.aws_availability_zones.available.filter : "${f.name} ${join(" ", f.values)}"] == ["opt-in-status opt-in-not-required"]
    error_message = "the zones must be available, and no local ones"
  }
  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.map_public_ip_on_launch == false])
    error_message = "no subnet may hand out public addresses"
  }
  assert {
    condition     = alltrue([for id in concat(values(aws_subnet.public)[*].vpc_id, values(aws_subnet.private)[*].vpc_id, values(aws_route_table.private)[*].vpc_id, [aws_route_table.public.vpc_id, aws_internet_gateway.this.vpc_id]) : id == aws_vpc.this.id])
    error_message = "every part of the network must be in the VPC"
  }
  assert {
    condition     = aws_default_security_group.this.vpc_id == aws_vpc.this.id
    error_message = "the VPC's default security group must be taken over, so that it has no rules"
  }
  assert {
    condition     = alltrue([for tags in concat([aws_vpc.this.tags, aws_internet_gateway.this.tags, aws_flow_log.this.tags, aws_default_security_group.this.tags, aws_route_table.public.tags, aws_iam_role.flow.tags, aws_cloudwatch_log_group.flow.tags], values(aws_subnet.public)[*].tags, values(aws_subnet.private)[*].tags, values(aws_route_table.private)[*].tags, values(aws_vpc_endpoint.interface)[*].tags, [aws_vpc_endpoint.s3.tags]) : tags["team"] == "energy"])
    error_message = "every resource must carry the tags"
  }
}

run "routes_without_nat" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.private_nat) == 0
    error_message = "no NAT gateway, address or route may be planned unless it is asked for"
  }
  assert {
    condition     = aws_route.public_internet.destination_cidr_block == "0.0.0.0/0" && aws_route.public_internet.gateway_id == aws_internet_gateway.this.id && aws_route.public_internet.route_table_id == aws_route_table.public.id
    error_message = "the public route table must lead to the internet gateway"
  }
  assert {
    condition     = alltrue([for zone in ["0", "1"] : aws_route_table_association.public[zone].subnet_id == aws_subnet.public[zone].id && aws_route_table_association.public[zone].route_table_id == aws_route_table.public.id])
    error_message = "the public subnets must use the public route table"
  }
  assert {
    condition     = alltrue([for zone in ["0", "1"] : aws_route_table_association.private[zone].subnet_id == aws_subnet.private[zone].id && aws_route_table_association.private[zone].route_table_id == aws_route_table.private[zone].id])
    error_message = "each private subnet must use its own route table, which does not lead to the internet"
  }
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.clients_internet) == 0
    error_message = "without NAT clients must not be let out to the internet"
  }
  assert {
    condition     = output.nat_public_ips == []
    error_message = "without NAT there is no public address"
  }
}

run "routes_with_a_single_nat" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_mode = "single"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["0"] && keys(aws_eip.nat) == ["0"]
    error_message = "a single NAT must be one gateway with one address"
  }
  assert {
    condition     = aws_nat_gateway.this["0"].subnet_id == aws_subnet.public["0"].id && aws_nat_gateway.this["0"].allocation_id == aws_eip.nat["0"].id && aws_eip.nat["0"].domain == "vpc"
    error_message = "the NAT gateway must be in a public subnet and have the address"
  }
  assert {
    condition     = alltrue([for zone in ["0", "1"] : aws_route.private_nat[zone].nat_gateway_id == aws_nat_gateway.this["0"].id && aws_route.private_nat[zone].route_table_id == aws_route_table.private[zone].id && aws_route.private_nat[zone].destination_cidr_block == "0.0.0.0/0"])
    error_message = "both private subnets must leave through the one gateway"
  }
}

run "routes_with_a_nat_per_zone" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_mode = "per-zone"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["0", "1"]
    error_message = "each zone must have a gateway"
  }
  assert {
    condition     = alltrue([for zone in ["0", "1"] : aws_route.private_nat[zone].nat_gateway_id == aws_nat_gateway.this[zone].id && aws_nat_gateway.this[zone].subnet_id == aws_subnet.public[zone].id && aws_nat_gateway.this[zone].allocation_id == aws_eip.nat[zone].id])
    error_message = "each private subnet must leave through the gateway of its own zone"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.clients_internet[0].cidr_ipv4 == "0.0.0.0/0" && aws_vpc_security_group_egress_rule.clients_internet[0].from_port == 443 && aws_vpc_security_group_egress_rule.clients_internet[0].to_port == 443 && aws_vpc_security_group_egress_rule.clients_internet[0].ip_protocol == "tcp" && aws_vpc_security_group_egress_rule.clients_internet[0].security_group_id == aws_security_group.clients.id
    error_message = "with NAT clients may leave over TLS and no other port"
  }
  assert {
    condition     = length(output.nat_public_ips) == 2
    error_message = "both public addresses must be told"
  }
}

run "only_named_clients_reach_influxdb" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    client_security_groups = { router = "sg-0123456789abcdef0" }
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.influxdb : name => rule.referenced_security_group_id } == { stack = aws_security_group.clients.id, router = "sg-0123456789abcdef0" }
    error_message = "InfluxDB must be reached by the stack's clients and the named ones, and by nobody else"
  }
  assert {
    condition     = alltrue([for rule in values(aws_vpc_security_group_ingress_rule.influxdb) : rule.security_group_id == aws_security_group.influxdb.id && rule.ip_protocol == "tcp" && rule.from_port == 8086 && rule.to_port == 8086])
    error_message = "InfluxDB must be reached on 8086 and on no other port"
  }
  assert {
    condition     = alltrue([for rule in concat(values(aws_vpc_security_group_ingress_rule.influxdb), values(aws_vpc_security_group_ingress_rule.endpoints)) : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null && rule.prefix_list_id == null])
    error_message = "no rule may let in a block of addresses"
  }
  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.endpoints : name => [rule.referenced_security_group_id, rule.from_port, rule.to_port, rule.ip_protocol] } == { stack = [aws_security_group.clients.id, 443, 443, "tcp"], router = ["sg-0123456789abcdef0", 443, 443, "tcp"] }
    error_message = "the endpoints must be reached by the clients over TLS, and by nobody else"
  }
  assert {
    condition     = alltrue([for rule in values(aws_vpc_security_group_ingress_rule.endpoints) : rule.security_group_id == aws_security_group.endpoints.id])
    error_message = "the endpoints' rules must be on the endpoints' group"
  }
  assert {
    condition     = alltrue([for group in [aws_security_group.influxdb, aws_security_group.clients, aws_security_group.endpoints] : group.vpc_id == aws_vpc.this.id])
    error_message = "the security groups must be in the VPC"
  }
}

run "clients_reach_influxdb_and_aws_and_nothing_else" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    influxdb_port = 9999
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.clients_influxdb.security_group_id == aws_security_group.clients.id && aws_vpc_security_group_egress_rule.clients_influxdb.referenced_security_group_id == aws_security_group.influxdb.id && aws_vpc_security_group_egress_rule.clients_influxdb.from_port == 9999 && aws_vpc_security_group_egress_rule.clients_influxdb.to_port == 9999 && aws_vpc_security_group_egress_rule.clients_influxdb.ip_protocol == "tcp"
    error_message = "clients must reach InfluxDB on its port"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.influxdb["stack"].from_port == 9999 && aws_vpc_security_group_ingress_rule.influxdb["stack"].to_port == 9999
    error_message = "InfluxDB must let its port in"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.clients_endpoints.security_group_id == aws_security_group.clients.id && aws_vpc_security_group_egress_rule.clients_endpoints.referenced_security_group_id == aws_security_group.endpoints.id && aws_vpc_security_group_egress_rule.clients_endpoints.from_port == 443 && aws_vpc_security_group_egress_rule.clients_endpoints.to_port == 443 && aws_vpc_security_group_egress_rule.clients_endpoints.ip_protocol == "tcp"
    error_message = "clients must reach the private endpoints over TLS"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.clients_s3.security_group_id == aws_security_group.clients.id && aws_vpc_security_group_egress_rule.clients_s3.prefix_list_id == aws_vpc_endpoint.s3.prefix_list_id && aws_vpc_security_group_egress_rule.clients_s3.from_port == 443 && aws_vpc_security_group_egress_rule.clients_s3.to_port == 443 && aws_vpc_security_group_egress_rule.clients_s3.ip_protocol == "tcp"
    error_message = "clients must reach S3 through its endpoint, over TLS"
  }
  assert {
    condition     = alltrue([for rule in [aws_vpc_security_group_egress_rule.clients_influxdb, aws_vpc_security_group_egress_rule.clients_endpoints, aws_vpc_security_group_egress_rule.clients_s3] : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null])
    error_message = "no rule may let clients out to a block of addresses"
  }
}

run "endpoints" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = toset(values(aws_vpc_endpoint.interface)[*].service_name) == toset([for service in ["appconfigdata", "kms", "logs", "monitoring", "secretsmanager"] : "com.amazonaws.us-east-1.${service}"])
    error_message = "Secrets Manager, CloudWatch, Logs, AppConfig data and KMS must have endpoints in the stack's region"
  }
  assert {
    condition     = alltrue([for endpoint in values(aws_vpc_endpoint.interface) : endpoint.vpc_id == aws_vpc.this.id && endpoint.vpc_endpoint_type == "Interface" && endpoint.private_dns_enabled && toset(endpoint.security_group_ids) == toset([aws_security_group.endpoints.id]) && toset(endpoint.subnet_ids) == toset(values(aws_subnet.private)[*].id)])
    error_message = "interface endpoints must be private, in both private subnets, behind their own group, and found by the services' own names"
  }
  assert {
    condition     = aws_vpc_endpoint.s3.service_name == "com.amazonaws.us-east-1.s3" && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.vpc_id == aws_vpc.this.id && toset(aws_vpc_endpoint.s3.route_table_ids) == toset(values(aws_route_table.private)[*].id)
    error_message = "S3 must have a gateway endpoint on both private route tables"
  }
}

run "endpoint_policies" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(data.aws_iam_policy_document.interface_endpoint.statement) == 1 && [for condition in data.aws_iam_policy_document.interface_endpoint.statement[0].condition : [condition.test, condition.variable, condition.values]] == [["StringEquals", "aws:PrincipalAccount", tolist(["111122223333"])]]
    error_message = "interface endpoints must serve this account's principals only"
  }
  assert {
    condition     = data.aws_iam_policy_document.s3_endpoint.statement[*].sid == tolist(["OwnAccount", "ImageLayers"]) && data.aws_iam_policy_document.s3_endpoint.statement[0].effect == null && data.aws_iam_policy_document.s3_endpoint.statement[1].effect == null && toset(data.aws_iam_policy_document.s3_endpoint.statement[0].actions) == toset(["s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"])
    error_message = "the S3 endpoint must let through reading and writing, and no deletion"
  }
  assert {
    condition     = [for condition in data.aws_iam_policy_document.s3_endpoint.statement[0].condition : [condition.test, condition.variable, condition.values]] == [["StringEquals", "aws:PrincipalAccount", tolist(["111122223333"])]]
    error_message = "the S3 endpoint must serve this account's principals only"
  }
  assert {
    condition     = toset(data.aws_iam_policy_document.s3_endpoint.statement[1].actions) == toset(["s3:GetObject"]) && toset(data.aws_iam_policy_document.s3_endpoint.statement[1].resources) == toset(["arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"])
    error_message = "beside its own account the S3 endpoint must let through the layers of images, and nothing else"
  }
}

run "flow_logs" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = aws_flow_log.this.vpc_id == aws_vpc.this.id && aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.log_destination_type == "cloud-watch-logs" && aws_flow_log.this.log_destination == aws_cloudwatch_log_group.flow.arn && aws_flow_log.this.iam_role_arn == aws_iam_role.flow.arn && aws_flow_log.this.max_aggregation_interval == 60
    error_message = "all traffic of the VPC must be logged to the log group, by the role, each minute"
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow.name == "/stack/vpc-flow" && aws_cloudwatch_log_group.flow.kms_key_id == "arn:aws:kms:us-east-1:111122223333:key/k" && aws_cloudwatch_log_group.flow.retention_in_days == 365
    error_message = "flow logs must be encrypted with the key, and kept for a year"
  }
  assert {
    condition     = length(data.aws_iam_policy_document.flow.statement) == 1 && toset(data.aws_iam_policy_document.flow.statement[0].actions) == toset(["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]) && toset(data.aws_iam_policy_document.flow.statement[0].resources) == toset(["${aws_cloudwatch_log_group.flow.arn}:*"])
    error_message = "the flow logs' role must write to its log group and do nothing else"
  }
  assert {
    condition     = length(data.aws_iam_policy_document.flow_trust.statement) == 1 && [for principal in data.aws_iam_policy_document.flow_trust.statement[0].principals : [principal.type, tolist(principal.identifiers)]] == [["Service", tolist(["vpc-flow-logs.amazonaws.com"])]] && [for condition in data.aws_iam_policy_document.flow_trust.statement[0].condition : [condition.test, condition.variable, condition.values]] == [["StringEquals", "aws:SourceAccount", tolist(["111122223333"])]]
    error_message = "the flow logs' role must trust the service, for this account"
  }
}

run "outputs" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition     = output.vpc_id == aws_vpc.this.id && output.public_subnet_ids == [aws_subnet.public["0"].id, aws_subnet.public["1"].id] && output.private_subnet_ids == [aws_subnet.private["0"].id, aws_subnet.private["1"].id]
    error_message = "the VPC and the subnets must be told, in the order of the zones"
  }
  assert {
    condition     = output.influxdb_security_group_id == aws_security_group.influxdb.id && output.client_security_group_id == aws_security_group.clients.id && output.endpoint_security_group_id == aws_security_group.endpoints.id && output.flow_log_group_name == "/stack/vpc-flow"
    error_message = "each security group must be told under its own name"
  }
}
