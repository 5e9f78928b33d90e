# One server that nobody joins. It speaks to itself on loopback, so a new container with a new
# address is still the same server; only its API listens outside.
node_name        = "monolith"
server           = true
bootstrap_expect = 1
bind_addr        = "127.0.0.1"
client_addr      = "0.0.0.0"

ports {
  dns      = -1
  grpc     = -1
  grpc_tls = -1
  serf_wan = -1
}

ui_config {
  enabled = true
}

# A leader 2 seconds after the start instead of 10; the default is for servers far apart.
performance {
  raft_multiplier = 1
}

telemetry {
  prometheus_retention_time = "1m"
  disable_hostname          = true
}

# A check is an HTTP or TCP request: whoever may register a service gets no shell.
enable_script_checks       = false
enable_local_script_checks = false
disable_remote_exec        = true
disable_update_check       = true
log_level                  = "warn"
