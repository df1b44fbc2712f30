"""What changes a workflow, or moves an application in one."""
