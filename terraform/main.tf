# The stack that `cutover` judges: a private network, InfluxDB in it, the flags and alarms that move
# traffic, and the runner. The provider is the caller's: this is a module like any other, and by itself
# takes the region and the account from the environment.

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  name       = "${var.project}-${var.environment}"
  region     = data.aws_region.current.region
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # One tag tells this stack's resources, and its costs, from all others.
  stack_tag = { key = "cutover:stack", value = local.name }
  tags = merge(var.tags, {
    (local.stack_tag.key) = local.stack_tag.value
    "cutover:environment" = var.environment
  })

  # Without NAT the runner has no other way to its image and to the services it looks at.
  interface_endpoints = toset(concat(
    ["secretsmanager", "monitoring", "logs", "appconfigdata", "kms"],
    var.runner_enabled && var.nat_mode == "none" ? ["appconfig", "ecr.api", "ecr.dkr", "timestream-influxdb"] : []
  ))
}

module "network" {
  source = "./modules/network"

  name                   = local.name
  vpc_cidr               = var.vpc_cidr
  availability_zones     = var.availability_zones
  public_subnet_cidrs    = var.public_subnet_cidrs
  private_subnet_cidrs   = var.private_subnet_cidrs
  nat_mode               = var.nat_mode
  interface_endpoints    = local.interface_endpoints
  influxdb_port          = var.influxdb_port
  client_security_groups = var.client_security_groups
  kms_key_arn            = aws_kms_key.this.arn
  tags                   = local.tags
}

module "influxdb" {
  source = "./modules/influxdb"

  name                  = local.name
  db_instance_type      = var.influxdb_instance_type
  storage_type          = var.influxdb_storage_type
  allocated_storage_gib = var.influxdb_allocated_storage_gib
  organization          = var.influxdb_organization
  bucket                = var.influxdb_bucket
  username              = var.influxdb_username
  password              = var.influxdb_password
  port                  = var.influxdb_port
  multi_az              = var.influxdb_multi_az
  parameter_group_id    = var.influxdb_parameter_group_id
  maintenance_window    = var.influxdb_maintenance_window
  maintenance_timezone  = var.timezone
  log_delivery          = var.influxdb_log_delivery
  allow_writes          = var.allow_writes
  subnet_ids            = module.network.private_subnet_ids
  security_group_ids    = [module.network.influxdb_security_group_id]
  kms_key_arn           = aws_kms_key.this.arn
  tags                  = local.tags

  tokens = {
    reader = { read_buckets = sort(var.influxdb_buckets) }
    writer = { read_buckets = sort(var.influxdb_buckets), write_buckets = sort(var.influxdb_buckets) }
  }
}

module "monitoring" {
  source = "./modules/monitoring"

  name                = local.name
  instance_name       = module.influxdb.name
  storage_type        = module.influxdb.storage_type
  buckets             = var.influxdb_buckets
  influxdb_namespace  = var.influxdb_metric_namespace
  metric_namespace    = var.metric_namespace
  expect_writes       = var.expect_writes
  notification_emails = var.notification_emails
  monthly_budget_usd  = var.monthly_budget_usd
  budget_tag          = local.stack_tag
  kms_key_arn         = aws_kms_key.this.arn
  tags                = local.tags
}

module "traffic_switching" {
  source = "./modules/traffic_switching"

  name                    = local.name
  environments            = [var.environment]
  metric_namespace        = var.metric_namespace
  notification_topic_arns = [module.monitoring.topic_arn]
  kms_key_arn             = aws_kms_key.this.arn
  tags                    = local.tags
}

module "runner" {
  source = "./modules/runner"
  count  = var.runner_enabled ? 1 : 0

  name                     = local.name
  image                    = var.runner_image
  image_tag                = var.runner_image_tag
  vcpus                    = var.runner_vcpus
  memory_mib               = var.runner_memory_mib
  shards                   = var.runner_shards
  scenario_tag             = var.runner_scenario_tag
  schedule                 = var.runner_schedule
  schedule_timezone        = var.timezone
  allow_writes             = var.allow_writes
  subnet_ids               = module.network.private_subnet_ids
  security_group_ids       = [module.network.client_security_group_id]
  instance_arn             = module.influxdb.arn
  token_secret_arns        = module.influxdb.token_secret_arns
  source_database_arns     = var.source_database_arns
  appconfig_application_id = module.traffic_switching.application_id
  metric_namespace         = var.metric_namespace
  notification_topic_arn   = module.monitoring.topic_arn
  stack_output             = local.stack_output
  kms_key_arn              = aws_kms_key.this.arn
  tags                     = local.tags
}
