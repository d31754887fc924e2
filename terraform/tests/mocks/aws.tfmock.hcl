# What AWS would answer.
#
# A resource that is named here has its computed values at plan: generated ones, each different, so that a
# test sees which value went where. Only what is held to a form has a value of its own.

mock_data "aws_region" {
  defaults = {
    region = "us-east-1"
    name   = "us-east-1"
  }
}

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "111122223333"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition  = "aws"
    dns_suffix = "amazonaws.com"
  }
}

mock_data "aws_availability_zones" {
  defaults = {
    names = ["us-east-1a", "us-east-1b", "us-east-1c"]
  }
}

mock_resource "aws_appconfig_application" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_appconfig_configuration_profile" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_appconfig_deployment_strategy" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_appconfig_environment" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_appconfig_hosted_configuration_version" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_batch_compute_environment" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_batch_job_definition" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_batch_job_queue" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_budgets_budget" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_cloudwatch_composite_alarm" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_cloudwatch_dashboard" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_cloudwatch_event_rule" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_cloudwatch_event_target" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_cloudwatch_log_group" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_cloudwatch_metric_alarm" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_default_security_group" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_ecr_lifecycle_policy" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_ecr_repository" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_eip" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_flow_log" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_iam_policy" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_iam_role" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_iam_role_policy" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_internet_gateway" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_kms_alias" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_kms_key" {
  override_during = plan
  defaults = {
    arn = "arn:aws:kms:us-east-1:111122223333:key/stack"
  }
}

mock_resource "aws_nat_gateway" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_route" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_route_table" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_route_table_association" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_s3_bucket" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_s3_bucket_lifecycle_configuration" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_s3_bucket_ownership_controls" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_s3_bucket_policy" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_s3_bucket_public_access_block" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_s3_bucket_server_side_encryption_configuration" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_s3_bucket_versioning" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_scheduler_schedule" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_secretsmanager_secret" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_security_group" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_sns_topic" {
  override_during = plan
  defaults = {
    arn = "arn:aws:sns:us-east-1:111122223333:stack-notifications"
  }
}

mock_resource "aws_sns_topic_policy" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_sns_topic_subscription" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_subnet" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_timestreaminfluxdb_db_instance" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_vpc" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_vpc_endpoint" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_vpc_security_group_egress_rule" {
  override_during = plan
  defaults        = {}
}

mock_resource "aws_vpc_security_group_ingress_rule" {
  override_during = plan
  defaults        = {}
}
