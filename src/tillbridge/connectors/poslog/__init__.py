"""POSLog: till transactions as OMG/NRF ARTS XML, versions 2.1 to 6, read from files."""

from tillbridge.connectors.poslog.connector import PoslogConnector

connector = PoslogConnector()
