# A secret for each scoped token. A token can only be made inside the running InfluxDB, so the secrets
# begin empty: who makes the tokens puts them in, in the format of `local.token_documents`, to which
# AWS's rotation functions hold. No version is made here, because Terraform would put an empty
# one in front of a token as soon as its own had been rotated away.

resource "aws_secretsmanager_secret" "token" {
  # checkov:skip=CKV2_AWS_57: AWS's rotation function comes from its application repository and is not this module's; the secrets are in its format.
  for_each = var.tokens

  name                    = "${var.name}/influxdb/token/${each.key}"
  description             = "InfluxDB token `${each.key}` of ${var.name}, in the format of AWS's rotation functions"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days

  tags = merge(var.tags, { "cutover:token" = each.key })
}

locals {
  # What goes into each secret, without the token itself.
  token_documents = {
    for name, token in var.tokens : name => merge(
      {
        engine         = "timestream-influxdb"
        org            = var.organization
        adminSecretArn = aws_timestreaminfluxdb_db_instance.this.influx_auth_parameters_secret_arn
        type           = token.type
        dbIdentifier   = aws_timestreaminfluxdb_db_instance.this.id
      },
      token.type == "custom" ? { readBuckets = token.read_buckets, writeBuckets = token.write_buckets } : {}
    )
  }
}
