"""Services as processes of this machine, under supervisord, without a container engine."""
