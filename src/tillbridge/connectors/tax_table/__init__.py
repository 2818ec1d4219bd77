"""A table of tax rates of the workspace as a tax service: no outside system, nothing is kept."""

from tillbridge.connectors.tax_table.connector import TaxTableConnector

connector = TaxTableConnector()
