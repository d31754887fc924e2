# The database: one instance of InfluxDB 2. Backups are configured and made by the service's API, which
# the provider does not offer yet; see the module's README.

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  region     = data.aws_region.current.region
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  writes_tag = { "cutover:allow-writes" = tostring(var.allow_writes) }
}

# The service takes letters and digits only.
resource "random_password" "this" {
  count = var.password == null ? 1 : 0

  length  = 40
  special = false
}

resource "aws_timestreaminfluxdb_db_instance" "this" {
  name              = var.name
  db_instance_type  = var.db_instance_type
  db_storage_type   = var.storage_type
  allocated_storage = var.allocated_storage_gib
  deployment_type   = var.multi_az ? "WITH_MULTIAZ_STANDBY" : "SINGLE_AZ"

  organization = var.organization
  bucket       = var.bucket
  username     = var.username
  password     = var.password != null ? var.password : random_password.this[0].result

  db_parameter_group_identifier = var.parameter_group_id

  port                   = var.port
  network_type           = var.network_type
  publicly_accessible    = var.publicly_accessible
  vpc_subnet_ids         = var.subnet_ids
  vpc_security_group_ids = var.security_group_ids

  dynamic "maintenance_schedule" {
    for_each = var.maintenance_window == null ? [] : [var.maintenance_window]

    content {
      preferred_maintenance_window = maintenance_schedule.value
      timezone                     = var.maintenance_timezone
    }
  }

  dynamic "log_delivery_configuration" {
    for_each = aws_s3_bucket.logs

    content {
      s3_configuration {
        bucket_name = log_delivery_configuration.value.bucket
        enabled     = true
      }
    }
  }

  tags = merge(var.tags, local.writes_tag, { Name = var.name })

  timeouts {
    create = "60m"
    update = "60m"
    delete = "60m"
  }

  lifecycle {
    # Nobody deletes the data by a plan that was read too fast.
    prevent_destroy = true
    # AWS cannot change a password in place: another value here would replace the database.
    ignore_changes = [password]
  }

  # The service tries the bucket when the instance is made.
  depends_on = [aws_s3_bucket_policy.logs]
}
