output "id" {
  description = "Id of the instance, by which the service's API addresses it."
  value       = aws_timestreaminfluxdb_db_instance.this.id
}

output "arn" {
  description = "ARN of the instance."
  value       = aws_timestreaminfluxdb_db_instance.this.arn
}

output "name" {
  description = "Name of the instance, the value of CloudWatch's dimension DbInstanceName."
  value       = aws_timestreaminfluxdb_db_instance.this.name
}

output "endpoint" {
  description = "Host of the instance, without scheme and port."
  value       = aws_timestreaminfluxdb_db_instance.this.endpoint
}

output "port" {
  description = "Port of the HTTPS API."
  value       = aws_timestreaminfluxdb_db_instance.this.port
}

output "url" {
  description = "URL of the HTTPS API."
  value       = "https://${aws_timestreaminfluxdb_db_instance.this.endpoint}:${aws_timestreaminfluxdb_db_instance.this.port}"
}

output "organization" {
  description = "Name of the first organisation."
  value       = aws_timestreaminfluxdb_db_instance.this.organization
}

output "bucket" {
  description = "Name of the first bucket."
  value       = aws_timestreaminfluxdb_db_instance.this.bucket
}

output "storage_type" {
  description = "Type of the storage, which sets the IOPS that alarms measure against."
  value       = aws_timestreaminfluxdb_db_instance.this.db_storage_type
}

output "tags" {
  description = "Tags of the instance, among them cutover:allow-writes."
  value       = aws_timestreaminfluxdb_db_instance.this.tags
}

output "auth_secret_arn" {
  description = "Secret that the service keeps: organisation, bucket, user and password of the administrator."
  value       = aws_timestreaminfluxdb_db_instance.this.influx_auth_parameters_secret_arn
}

output "token_secret_arns" {
  description = "Secrets of the scoped tokens, by the token's name."
  value       = { for name, secret in aws_secretsmanager_secret.token : name => secret.arn }
}

output "token_documents" {
  description = "What each secret of a token holds beside the token: nothing secret."
  value       = local.token_documents
}

output "log_bucket" {
  description = "Bucket of the engine's logs; null without delivery."
  value       = one(aws_s3_bucket.logs[*].bucket)
}

output "policy_arns" {
  description = "IAM policies: reader, writer and operator."
  value = {
    reader   = aws_iam_policy.reader.arn
    writer   = aws_iam_policy.writer.arn
    operator = aws_iam_policy.operator.arn
  }
}
