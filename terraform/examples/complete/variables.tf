variable "region" {
  description = "Region of the stack."
  type        = string
  default     = "us-east-1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "`region` must be a region's name, such as us-east-1."
  }
}

variable "notification_emails" {
  description = "Addresses that alarms, failed runs and the budget write to."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "source_database_arns" {
  description = "Databases of Timestream for LiveAnalytics that the nightly run compares with."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "client_security_groups" {
  description = "The application's own security groups, by name, which reach InfluxDB."
  type        = map(string)
  default     = {}
  nullable    = false
}
