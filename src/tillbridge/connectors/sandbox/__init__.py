"""The sandbox: simulators of outside systems, named as such, and the connector of its ERP."""

from tillbridge.connectors.sandbox.connector import SandboxConnector

connector = SandboxConnector()
