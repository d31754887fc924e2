output "job_queue_arn" {
  description = "Queue that takes runs."
  value       = aws_batch_job_queue.this.arn
}

output "job_definition_arn" {
  description = "Definition of a run, at its present revision."
  value       = aws_batch_job_definition.this.arn
}

output "shards" {
  description = "Parallel jobs of one run."
  value       = tonumber(aws_batch_job_definition.this.parameters["shards"])
}

output "image" {
  description = "Image that jobs run."
  value       = local.image
}

output "repository_url" {
  description = "Where to push the image; null when it comes from elsewhere."
  value       = one(aws_ecr_repository.this[*].repository_url)
}

output "results_bucket" {
  description = "Bucket of reports and evidence."
  value       = aws_s3_bucket.results.bucket
}

output "log_group_name" {
  description = "Log group of the jobs."
  value       = aws_cloudwatch_log_group.this.name
}

output "job_role_arn" {
  description = "Role of the jobs."
  value       = aws_iam_role.job.arn
}

output "schedule_name" {
  description = "Name of the nightly schedule; null without one."
  value       = one(aws_scheduler_schedule.nightly[*].name)
}
