# What the network takes, at its edges, and what it refuses.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "stack"
  kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/k"
}

run "edges_are_accepted_wide" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name                    = "aaaaaaaaaaaaaaaaaaaaaaaa"
    vpc_cidr                = "10.0.0.0/16"
    influxdb_port           = 1024
    flow_log_retention_days = 30
    nat_mode                = "per-zone"
    client_security_groups  = { app = "sg-0123456789abcdef0" }
    interface_endpoints     = ["appconfig", "appconfigdata", "ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "secretsmanager", "sts", "timestream-influxdb"]
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 10
    error_message = "every service on the list has an endpoint"
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "the shortest retention is accepted"
  }
}

run "edges_are_accepted_narrow" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name                    = "a"
    vpc_cidr                = "192.168.7.0/24"
    public_subnet_cidrs     = ["192.168.7.0/26", "192.168.7.64/26"]
    private_subnet_cidrs    = ["192.168.7.128/26", "192.168.7.192/26"]
    influxdb_port           = 65535
    flow_log_retention_days = 3653
    nat_mode                = "none"
    availability_zones      = ["us-east-1b", "us-east-1d"]
    interface_endpoints     = []
  }

  assert {
    condition     = aws_vpc.this.cidr_block == "192.168.7.0/24"
    error_message = "the smallest block is accepted"
  }

  assert {
    condition     = [for zone in ["0", "1"] : aws_subnet.private[zone].availability_zone] == ["us-east-1b", "us-east-1d"]
    error_message = "the named zones are taken"
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0
    error_message = "no endpoint is an accepted choice"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.influxdb["stack"].to_port == 65535
    error_message = "the highest port is accepted"
  }
}

run "name_with_capitals_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name = "Stack"
  }

  expect_failures = [var.name]
}

run "name_of_25_characters_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name = "aaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.name]
}

run "name_with_double_hyphen_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name = "a--b"
  }

  expect_failures = [var.name]
}

run "vpc_cidr_of_15_bits_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    vpc_cidr = "10.0.0.0/15"
  }

  expect_failures = [var.vpc_cidr]
}

run "vpc_cidr_of_25_bits_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    vpc_cidr = "10.0.0.0/25"
  }

  expect_failures = [var.vpc_cidr]
}

run "vpc_cidr_that_is_no_block_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    vpc_cidr = "10.0.0.0"
  }

  expect_failures = [var.vpc_cidr]
}

run "one_zone_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    availability_zones = ["us-east-1a"]
  }

  expect_failures = [var.availability_zones]
}

run "one_zone_twice_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    availability_zones = ["us-east-1a", "us-east-1a"]
  }

  expect_failures = [var.availability_zones]
}

run "three_zones_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    availability_zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
  }

  expect_failures = [var.availability_zones]
}

run "one_public_subnet_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    public_subnet_cidrs = ["10.0.1.0/24"]
  }

  expect_failures = [var.public_subnet_cidrs]
}

run "public_subnet_twice_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    public_subnet_cidrs = ["10.0.1.0/24", "10.0.1.0/24"]
  }

  expect_failures = [var.public_subnet_cidrs]
}

run "public_subnet_that_is_no_block_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    public_subnet_cidrs = ["10.0.1.0/24", "10.0.2.0"]
  }

  expect_failures = [var.public_subnet_cidrs]
}

run "three_private_subnets_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    private_subnet_cidrs = ["10.0.10.0/24", "10.0.20.0/24", "10.0.30.0/24"]
  }

  expect_failures = [var.private_subnet_cidrs]
}

run "private_subnet_twice_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    private_subnet_cidrs = ["10.0.10.0/24", "10.0.10.0/24"]
  }

  expect_failures = [var.private_subnet_cidrs]
}

run "private_subnet_that_is_no_block_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    private_subnet_cidrs = ["10.0.10.0/24", "private"]
  }

  expect_failures = [var.private_subnet_cidrs]
}

run "private_subnet_that_is_public_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    private_subnet_cidrs = ["10.0.10.0/24", "10.0.2.0/24"]
  }

  expect_failures = [var.private_subnet_cidrs]
}

run "nat_mode_yes_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_mode = "yes"
  }

  expect_failures = [var.nat_mode]
}

run "unknown_endpoint_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    interface_endpoints = ["kms", "ec2"]
  }

  expect_failures = [var.interface_endpoints]
}

run "port_1023_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    influxdb_port = 1023
  }

  expect_failures = [var.influxdb_port]
}

run "port_65536_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    influxdb_port = 65536
  }

  expect_failures = [var.influxdb_port]
}

run "half_a_port_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    influxdb_port = 8086.5
  }

  expect_failures = [var.influxdb_port]
}

run "client_that_is_an_address_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    client_security_groups = { office = "10.1.0.0/16" }
  }

  expect_failures = [var.client_security_groups]
}

run "key_that_is_no_arn_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    kms_key_arn = "alias/stack"
  }

  expect_failures = [var.kms_key_arn]
}

run "flow_log_retention_days_of_31_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    flow_log_retention_days = 31
  }

  expect_failures = [var.flow_log_retention_days]
}
