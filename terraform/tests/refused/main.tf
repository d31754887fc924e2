# Arguments that circulate for this resource and that the provider does not have. tools/terraform-test
# shows that `terraform validate` refuses each of them, and misses each that is required.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.45, < 7"
    }
  }
}

resource "aws_timestreaminfluxdb_db_instance" "invented" {
  name                       = "energy"
  db_instance_type           = "db.influx.medium"
  db_name                    = "energy"
  engine                     = "influxdb"
  engine_version             = "2.0.x"
  availability_zone          = "us-east-1a"
  backup_retention_period    = 7
  backup_window              = "03:00-04:00"
  maintenance_window         = "sun:04:00-sun:05:00"
  storage_encrypted          = true
  db_parameter_group_name    = "default.influxdb2"
  db_subnet_group_name       = "private"
  apply_immediately          = true
  auto_minor_version_upgrade = true
}
